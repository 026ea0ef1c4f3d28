-- What must hold in a relation, asked in one test because starting a test costs more than what it asks.
-- `keys`: each list of columns is without nulls and occurs once; the first is the grain. `never_null`: columns.
-- `holds`: conditions on every row; null means "does not apply". A failing row names the law that is broken.
{% test sound(model, keys, never_null=[], holds=[]) %}
    {%- for key in keys %}
    {%- set columns = [] %}
    {%- for column in key %}{% do columns.append(adapter.quote(column)) %}{% endfor %}
    {{ 'union all' if not loop.first }}
    select 'key {{ key | join(", ") }}' as broken, count(*) as n_rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 or {{ columns | join(' is null or ') }} is null
    {%- endfor %}
    {%- if never_null or holds %}
    union all
    select *
    from (
        select
            case
                {%- for column in never_null %}
                when {{ column }} is null then '{{ column }} is null'
                {%- endfor %}
                {%- for condition in holds %}
                when not ({{ condition }}) then '{{ condition | replace("'", "''") }}'
                {%- endfor %}
            end as broken,
            1 as n_rows
        from {{ model }}
    )
    where broken is not null
    {%- endif %}
{% endtest %}

-- Laws that every row must obey, one SQL condition each, checked in one scan; null means "does not apply".
{% test holds(model, conditions) %}
    select *
    from {{ model }}
    where not (
        {%- for condition in conditions %}
            {{ 'and ' if not loop.first }}coalesce({{ condition }}, true)
        {%- endfor %}
    )
{% endtest %}

-- Every entry of a list of the record became a row; what could not be used is counted here, by item.
{% test all_read(model, entries, record) %}
    with given as (
        select item_id, cardinality({{ entries }}) as given from {{ record }}
    ),

    taken as (
        select item_id, count(*) as taken from {{ model }} group by item_id
    )

    select given.item_id, given.given - coalesce(taken.taken, 0) as not_read
    from given
    left join taken on given.item_id = taken.item_id
    where given.given > coalesce(taken.taken, 0)
{% endtest %}

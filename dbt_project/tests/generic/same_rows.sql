-- Both relations hold the same keys: nothing was lost and nothing was added on the way.
{% test same_rows(model, columns, other, other_where='true') %}
    (
        select {{ columns | join(', ') }} from {{ model }}
        except
        select {{ columns | join(', ') }} from {{ other }} where {{ other_where }}
    )
    union all
    (
        select {{ columns | join(', ') }} from {{ other }} where {{ other_where }}
        except
        select {{ columns | join(', ') }} from {{ model }}
    )
{% endtest %}

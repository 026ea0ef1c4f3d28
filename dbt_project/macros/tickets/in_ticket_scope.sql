-- The condition that the variable ticket_scope stands for: all tickets, or closed ones that have an assignee.
{% macro in_ticket_scope() -%}
    {%- set scope = var('ticket_scope') -%}
    {%- if scope == 'all' -%} true
    {%- elif scope == 'assigned' -%} cleaned.is_closed and cleaned.has_assignee
    {%- else -%}
        {{ exceptions.raise_compiler_error("ticket_scope must be 'all' or 'assigned', not '" ~ scope ~ "'.") }}
    {%- endif -%}
{%- endmacro %}

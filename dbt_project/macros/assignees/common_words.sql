-- Words that stand in every title and say nothing about who knows it.
{% macro common_words() -%}
    'the', 'and', 'for', 'with', 'not', 'when', 'from', 'that', 'this', 'are', 'can', 'does', 'use', 'but', 'after',
    'while', 'into', 'should', 'has', 'have', 'its', 'doesn', 'don', 'via', 'all', 'only', 'than', 'then', 'was',
    'will', 'would', 'could', 'you', 'our', 'any', 'also', 'because', 'before', 'being', 'there', 'which', 'how', 'why'
{%- endmacro %}

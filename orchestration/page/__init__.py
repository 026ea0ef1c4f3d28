"""The daily page: what the published file says, for people, in one HTML file that needs no network.

It reads the published tables and nothing else; what is not there is left out.
"""

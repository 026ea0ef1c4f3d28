"""The error that says that there is too little data for a task, as opposed to wrong data or settings."""


class TooLittleDataError(ValueError):
    """Too few rows or groups, or labels of one kind only: with more data the same call would succeed."""

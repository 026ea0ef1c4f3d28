"""What can be refused beside wrong data and settings, said by the type of the error."""


class TooLittleDataError(ValueError):
    """Too few rows or groups, or labels of one kind only: with more data the same call would succeed."""


class DamagedFileError(ValueError):
    """A file is not what was written, or of another version: made again the same call would succeed."""

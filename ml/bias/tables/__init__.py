"""Every column of the published bias tables: name, type, unit, description."""

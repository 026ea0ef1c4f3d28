"""From landing files to raw.issues: every record loaded, superseded or rejected, and accounted for."""

"""How a repository serves those who open tickets: levels with their curves, and who waits longer."""

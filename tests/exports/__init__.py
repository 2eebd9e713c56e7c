"""The exports, each against a film made up for the purpose."""

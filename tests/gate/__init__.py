"""The gate: takes other people's test suites, gives what our tracing changes in their outcomes."""

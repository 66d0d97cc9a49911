"""What tracing costs this process: times a few of the tracer's own calls, gives CPU by stage, target and endpoint."""

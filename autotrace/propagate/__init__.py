"""Names of the wire: takes headers and statements, gives remote parents; takes a span, gives what goes out."""

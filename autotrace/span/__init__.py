"""Records what happens at a traced place; gives finished local roots."""

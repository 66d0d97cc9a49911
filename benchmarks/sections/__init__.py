"""What is measured, one section a module."""

"""All that touches the outside: web, command line, settings, jobs and the viewer."""

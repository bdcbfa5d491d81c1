"""The city check-up over HTTP and on the command line: examined as jobs, told, edited, reported."""

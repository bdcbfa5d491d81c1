"""What the server does for renewal: writing, files in and out, reports, and telling others."""

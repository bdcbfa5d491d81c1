"""The underground: pipe networks (管线), from survey tables to questions asked of them."""

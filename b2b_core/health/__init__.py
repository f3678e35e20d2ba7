"""What is wrong with an installation, found so that nothing that is wrong can stop the search."""

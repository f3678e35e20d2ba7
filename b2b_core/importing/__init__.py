"""Opening published weight files: read safely, unwrap, recognise, write as network files."""

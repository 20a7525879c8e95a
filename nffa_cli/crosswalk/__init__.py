"""Vendor words to our terms: vocabulary, crosswalk files, their application, units. Reads no vendor file itself."""

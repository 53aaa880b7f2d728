"""All settings of the program, as frozen records: one file per part."""

"""How many notifications became what, by hour: rollups that are kept while notifications move."""

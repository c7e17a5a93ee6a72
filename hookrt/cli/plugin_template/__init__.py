"""The files that `hookrt plugins new` writes, with `%%name%%` and its like where the plugin's own words go."""

"""Test sends: a template, drafts included, as a real notification to an address of the author's."""

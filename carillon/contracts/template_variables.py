"""Variables that every template may use without declaring them: the platform gives their values."""

UNSUBSCRIBE_URL = "unsubscribe_url"
PREFERENCES_URL = "preferences_url"

# Both are empty for a device without a user: there is nobody to ask, and no address to leave out.
BUILT_IN = (UNSUBSCRIBE_URL, PREFERENCES_URL)

"""Variables that every template may use without declaring them: the platform gives their values."""

UNSUBSCRIBE_URL = "unsubscribe_url"
PREFERENCES_URL = "preferences_url"

# Both are empty where the notification cannot be declined: nobody is named who could.
BUILT_IN = (UNSUBSCRIBE_URL, PREFERENCES_URL)

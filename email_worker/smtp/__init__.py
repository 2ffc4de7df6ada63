"""The SMTP dialogue: replies and what they mean, a session, a pool of sessions."""

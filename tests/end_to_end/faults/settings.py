"""What the broken platform is told, and the bounds that follow from it."""

# One process of so many threads: what one kill can leave in doubt.
WORKER_THREADS = 8
SMTP_TIMEOUT_SECONDS = 10.0

# Production's delays are seconds to hours; what is promised does not depend on them.
SETTINGS = {
    "RETRY_DELAYS": "1,1,2,2,3,3,4,4,5,5",
    "MAX_ATTEMPTS": "60",
    "PLAN_PRO_REQUESTS_PER_MINUTE": "6000000",
    "PLAN_ENTERPRISE_REQUESTS_PER_MINUTE": "6000000",
    "RECIPIENT_LIMIT": "1000000",
    "RELAY_RETURNED_DELAY": "1",
    "EMAIL_PROVIDERS": "smtp",
    "EMAIL_WORKER_PROCESSES": "1",
    "EMAIL_WORKER_THREADS": str(WORKER_THREADS),
    "SMTP_TIMEOUT_SECONDS": f"{SMTP_TIMEOUT_SECONDS:g}",
    "WEB_CONCURRENCY": "2",
    "LOG_LEVEL": "WARNING",
    # Out of reach: it would publish again what was lost, and the loss would not be seen.
    "RECONCILE_STUCK_AFTER": "3600",
}

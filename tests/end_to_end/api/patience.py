"""A client that does what a 503 asks of it: the same again, shortly.

On a busy machine a neighbour may be too late once; what fails each time it is asked is a defect.
"""

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

TRIES = 5


def patient(session: requests.Session) -> requests.Session:
    """`session`, which waits as long as `Retry-After` says, and gives the last answer at least."""
    again = Retry(
        connect=0,
        read=False,
        other=0,
        status=TRIES,
        status_forcelist=(503,),
        allowed_methods=None,
        raise_on_status=False,
    )
    session.mount("http://", HTTPAdapter(max_retries=again))
    return session

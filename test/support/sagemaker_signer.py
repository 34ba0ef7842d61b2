"""Signs requests as Amazon's plugin `sagemaker-mlflow` signs those of MLflow's client.

Each line of input is a request as JSON; each line of output is the `Authorization` that it got and the
hash of its body, as JSON. The clock stands where the request says.
"""

import datetime
import json
import sys
from urllib.parse import quote, quote_plus, urlencode

import boto3
import botocore.auth
import requests
from sagemaker_mlflow.auth import AuthBoto


def sign(case: dict) -> dict:
    now = datetime.datetime.fromtimestamp(case["now"] / 1000, datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda: now.replace(tzinfo=None)
    session = boto3.Session(
        aws_access_key_id=case["accessKeyId"],
        aws_secret_access_key=case["secretAccessKey"],
        aws_session_token=case.get("sessionToken"),
    )
    body = case.get("body")
    request = requests.Request(
        case["method"],
        case["origin"],
        headers={"Connection": "keep-alive", "User-Agent": "mlflow", **case["headers"]},
        data=None if body is None else body.encode(),
    ).prepare()
    if body is None:
        # The library gives a DELETE one; other clients do not.
        request.headers.pop("Content-Length", None)
    # MLflow's client writes the blanks of a query as pluses, which the plugin replaces where there is
    # no body. The path is put in as it is: the client's library would encode it in a way of its own.
    pairs = [tuple(pair) for pair in case["query"]]
    query = urlencode(pairs, quote_via=quote_plus if body is None else quote)
    request.url = case["origin"] + case["path"] + ("?" + query if query else "")
    signed = AuthBoto(case["region"], case["service"], boto3_session=session)(request)
    return {
        "authorization": signed.headers["Authorization"],
        "hash": signed.headers["X-Amz-Content-SHA256"],
    }


for line in sys.stdin:
    print(json.dumps(sign(json.loads(line))), flush=True)

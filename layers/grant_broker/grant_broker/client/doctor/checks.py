"""What a stack needs to be well, one function for each part of it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from grant_broker.client.doctor.account import Alarm
from grant_broker.client.doctor.examination import Check, Patient
from grant_broker.client.doctor.findings import Finding, fault, unknown, well
from grant_broker.client.errors import NoAnswerError, NotPermittedError
from grant_broker.client.key_naming import path_id_of
from grant_broker.domain.times import parse_time

ROLES = ("RequestsRoleArn", "ApprovalsRoleArn", "ExpiryRoleArn", "ReconcileRoleArn", "EventsRoleArn")
TOPICS = ("AlarmTopicArn", "MailTopicArn")
_OUTPUTS = ("ApiUrl", "RequestTableName", "ApprovalTableName", "GrantableOperations", *ROLES, *TOPICS)
_LAMBDA = {"Service": "lambda.amazonaws.com"}
# By function: within how long it must have said that it lives. Their alarms wait as long.
_HEARTBEATS = {"expiry": timedelta(minutes=5), "reconcile": timedelta(minutes=20)}
# A check is hourly, and one that had no answer is repeated each minute.
_CHECK_IS_LATE = timedelta(minutes=10)
_ENDS = ("RetireGrant request rate", "RevokeGrant request rate")
_FORBIDDEN = 403
_SECONDS = 10


def _check_outputs(patient: Patient) -> Iterator[Finding]:
    stack = patient.stack
    if not stack.status.endswith("_COMPLETE") or stack.status.startswith(("ROLLBACK", "DELETE")):
        yield fault(f"the stack is {stack.status}", "look at its events in CloudFormation, then deploy again")
    missing = [name for name in _OUTPUTS if not stack.outputs.get(name)]
    if missing:
        yield fault(
            f"no output {', '.join(missing)}", "deploy this version's template; name the broker's stack"
        )
    else:
        yield well(f"{len(stack.outputs)} outputs, and the stack is {stack.status}")


def _check_api(patient: Patient) -> Iterator[Finding]:
    address = patient.api_url or patient.stack.get_output("ApiUrl")
    url = f"{address.rstrip('/')}/security/keys"
    try:
        http = URLLib3Session(proxies=get_environ_proxies(url), timeout=_SECONDS)
        status = http.send(AWSRequest("GET", url).prepare()).status_code
    except BotoCoreError as error:
        yield fault(f"{address} does not answer: {error}", "check DNS, certificate and the API's stage")
        return
    if status == _FORBIDDEN:
        yield well("an unsigned call is refused")
    else:
        words = f"{url} answers {status} to a call that is not signed"
        yield fault(words, "see whether the API's methods still have the authorizer AWS_IAM; deploy again")
    yield from _check_signed_call(patient)


def _check_signed_call(patient: Patient) -> Iterator[Finding]:
    try:
        keys = len(list(patient.security.list_keys()))
    except NotPermittedError as error:
        words = f"a signed call is refused: {error}"
        yield unknown(
            words, "run this as an approver of the stack's account, to whom DoctorPolicy is attached"
        )
    except NoAnswerError as error:
        yield fault(str(error), "read the log of the function approvals")
    else:
        yield well(f"a signed call is answered: {keys} keys are open")


def _check_roles(patient: Patient) -> Iterator[Finding]:
    sound = 0
    for output in ROLES:
        arn = patient.stack.get_output(output)
        trust = patient.account.find_trust(arn)
        if trust is None:
            words = f"{arn} does not exist"
            yield fault(
                words, "deploy again, then mend each key's policy: a role that was recreated has another id"
            )
        elif others := [each for each in trust["Statement"] if each.get("Principal") != _LAMBDA]:
            words = f"{arn} may be assumed by {others[0].get('Principal')}"
            yield fault(
                words, "restore its trust policy: Lambda alone; read CloudTrail for UpdateAssumeRolePolicy"
            )
        else:
            sound += 1
    if sound == len(ROLES):
        yield well(f"{sound} roles, assumed by Lambda alone")


def _check_keys(patient: Patient) -> Iterator[Finding]:
    """By what requests and expiry found when they last tried: nobody else can tell what their roles may."""
    keys = [key["key_arn"] for key in patient.security.list_keys()]
    if not keys:
        yield well("no key is open")
    for arn in keys:
        for check in patient.security.get_checks(path_id_of(arn))["checks"]:
            does = "end" if check["function"] == "expiry" else "create"
            policy = f"grant-broker key-policy {arn} --stack {patient.stack.name}"
            if check["result"] == "failed":
                yield fault(f"cannot {does} grants on {arn}: {'; '.join(check['missing'])}", policy)
            elif _is_late(check["next_at"], patient.now):
                words = f"whether it can {does} grants on {arn} was to be checked at {check['next_at']}"
                yield fault(
                    words, f"read the log of the function {check['function']}; is its rule Checks on?"
                )
            elif check["result"] is None:
                yield unknown(f"whether it can {does} grants on {arn}", "ask again in a minute")
            else:
                yield well(f"can {does} grants on {arn}")


def _is_late(due: str | None, now: datetime) -> bool:
    return due is not None and parse_time(due) < now - _CHECK_IS_LATE


def _check_heartbeats(patient: Patient) -> Iterator[Finding]:
    namespace = f"GrantBroker/{patient.stack.name}"
    for function, within in _HEARTBEATS.items():
        minutes = int(within.total_seconds() // 60)
        if patient.account.find_heartbeat(namespace, function, patient.now - within, patient.now):
            yield well(f"{function} ran within {minutes} minutes")
        else:
            words = f"{function} has not run for {minutes} minutes"
            yield fault(words, "see its schedule's rule (disabled?), its throttles and its log")


def _check_alarms(patient: Patient) -> Iterator[Finding]:
    names = patient.account.list_alarm_names(patient.stack.name)
    found = patient.account.list_alarms(f"{patient.stack.name}-")
    topic = patient.stack.get_output("AlarmTopicArn")
    faults = [each for name in names if (each := _fault_of_alarm(name, found.get(name), topic))]
    yield from faults
    if not names:
        yield fault("the stack has no alarm", "deploy this version's template; name the broker's stack")
    elif not faults:
        yield well(f"{len(names)} alarms are armed, and none is on")


def _fault_of_alarm(name: str, alarm: Alarm | None, topic: str) -> Finding | None:
    if alarm is None:
        return fault(f"the alarm {name} is gone", "make it again: delete nothing else, and deploy")
    if not alarm.enabled:
        return fault(
            f"the alarm {name} tells nobody", "aws cloudwatch enable-alarm-actions --alarm-names " + name
        )
    if topic not in alarm.tells:
        return fault(f"the alarm {name} does not tell {topic}", "restore its actions: deploy again")
    if alarm.state == "ALARM":
        return fault(f"the alarm {name} is on: {alarm.reason}", "follow the runbook in its description")
    return None


def _check_subscriptions(patient: Patient) -> Iterator[Finding]:
    for topic in TOPICS:
        confirmed = patient.account.list_subscriptions(patient.stack.get_output(topic))
        if any(confirmed):
            yield well(f"{topic}: {sum(confirmed)} confirmed")
        if waiting := len(confirmed) - sum(confirmed):
            words = f"{topic}: {waiting} not confirmed, and they hear nothing"
            yield fault(words, "follow the link in SNS's mail, or subscribe again: it holds for 3 days")
        elif not confirmed:
            yield fault(
                f"{topic}: nobody subscribes", "give the parameter SecurityMail, or subscribe to the topic"
            )


def _check_trail(patient: Patient) -> Iterator[Finding]:
    kept = [
        each for each in patient.account.list_trails() if each.is_logging and each.keeps_management_writes
    ]
    if kept:
        yield well(f"the trail {kept[0].name} logs management events")
    else:
        words = "no trail logs management events that write: what others do around the broker is not heard of"
        yield fault(words, "make a trail for all Regions in CloudTrail, or start the one there is")


def _check_rates(patient: Patient) -> Iterator[Finding]:
    rate, quotas = float(patient.stack.get_parameter("EndRate")), patient.account.list_quotas("kms")
    known = {name: quotas[name] for name in _ENDS if name in quotas}
    if len(known) < len(_ENDS):
        yield unknown(
            f"Service Quotas names no {_ENDS[0]}", "compare EndRate with KMS's quotas in the console"
        )
        return
    smallest = min(known.values())
    if rate > smallest:
        words = f"EndRate is {rate:g} a second, and KMS takes {smallest:g}"
        yield fault(words, f"deploy with EndRate={int(smallest * 0.8)}, or have the quota raised")
    else:
        yield well(f"EndRate is {rate:g} a second, of {smallest:g} that KMS takes")


def _check_cost(patient: Patient) -> Iterator[Finding]:
    cost, most = patient.account.find_cost(patient.stack.name, patient.now), patient.dollars_a_day
    if cost is None:
        words = "nothing is booked under the stack's name for yesterday"
        yield unknown(words, "activate the cost allocation tag aws:cloudformation:stack-name in Billing")
    elif cost > most:
        words = f"yesterday cost {cost:.2f} USD, and at most {most:.2f} was expected"
        yield fault(words, "compare with grant-broker cost for your figures; Cost Explorer tells by service")
    else:
        yield well(f"yesterday cost {cost:.2f} USD")


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "outputs": _check_outputs,
        "api": _check_api,
        "roles": _check_roles,
        "keys": _check_keys,
        "heartbeat": _check_heartbeats,
        "alarms": _check_alarms,
        "subscriptions": _check_subscriptions,
        "trail": _check_trail,
        "rates": _check_rates,
        "cost": _check_cost,
    }
)

"""The condition keys that this engine knows. A key that is in the call's context is known by that alone.

Another one may be mistyped or newer than this list: absent from the context, it would make `IfExists`,
`Null` and negated operators true by accident.
"""

_GLOBAL = """
assumedroot calledvia calledviafirst calledvialast chatbotsourcearn currenttime ec2instancesourceprivateipv4
ec2instancesourcevpc epochtime federatedprovider multifactorauthage multifactorauthpresent principalaccount
principalarn principalisawsservice principalorgid principalorgpaths principalservicename
principalservicenameslist principaltype referer requestedregion resourceaccount resourceorgid resourceorgpaths
securetransport sourceaccount sourcearn sourceidentity sourceip sourceorgid sourceorgpaths sourcevpc
sourcevpcarn sourcevpce tagkeys tokenissuetime useragent userid username viaawsservice vpceaccount vpceorgid
vpceorgpaths vpcsourceip
"""
_KMS = """
bypasspolicylockoutsafetycheck calleraccount customermasterkeyspec customermasterkeyusage datakeypairspec
encryptionalgorithm encryptioncontextkeys expirationmodel grantconstraintsourcearn grantconstrainttype
granteeprincipal granteeserviceprincipal grantisforawsresource grantoperations keyagreementalgorithm keyorigin
keyspec keyusage macalgorithm messagetype multiregion multiregionkeytype policyname primaryregion
reencryptonsamekey replicaregion requestalias resourcealiases retiringprincipal retiringserviceprincipal
rotationperiodindays schedulekeydeletionpendingwindowindays signingalgorithm validto viaservice
wrappingalgorithm wrappingkeyspec
"""
# Of the other services that the broker itself calls.
_OTHERS = """
cloudwatch:namespace dynamodb:attributes dynamodb:enclosingoperation dynamodb:fulltablescan
dynamodb:leadingkeys dynamodb:returnconsumedcapacity dynamodb:returnvalues dynamodb:select
events:detail-type events:source iam:associatedresourcearn iam:passedtoservice iam:permissionsboundary
iam:policyarn lambda:functionarn lambda:principal sns:endpoint sns:protocol sts:externalid
sts:rolesessionname sts:sourceidentity sts:transitivetagkeys
"""
_KNOWN = frozenset(
    [f"aws:{name}" for name in _GLOBAL.split()] + [f"kms:{name}" for name in _KMS.split()] + _OTHERS.split()
)
_FAMILIES = (
    "aws:principaltag/",
    "aws:requesttag/",
    "aws:resourcetag/",
    "iam:resourcetag/",
    "kms:encryptioncontext:",
    "kms:recipientattestation:",
)


def known(key: str) -> bool:
    """Whether this is a documented condition key; `key` in lower case."""
    return key in _KNOWN or any(key.startswith(family) and key != family for family in _FAMILIES)

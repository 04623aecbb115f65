"""A function's role is given a grant on a registered key, and tries to use the key."""

from tests.end_to_end.attacks.target import HOME, Attack, Run, Target, tried


def _use(function: str, operation: str) -> Run:
    """Use the key by a grant of the root user's, under the context of the function's own environment."""

    def run(target: Target) -> str:
        place = f"arn:aws:lambda:{target.stack.ready['region']}:{HOME}:function"
        context = {"aws:lambda:FunctionArn": f"{place}:{target.stack.function_name(function)}"}
        root, own = target.stack.aws("root", "kms"), target.stack.aws(f"functions.{function}", "kms")
        key = target.stack.key
        made = root.create_grant(
            KeyId=key, GranteePrincipal=target.role(function), Operations=["Encrypt", "Decrypt"],
            Constraints={"EncryptionContextEquals": context},
        )  # fmt: skip
        try:
            given = {"KeyId": key, "EncryptionContext": context}
            if operation == "encrypt":
                return tried(own.encrypt, Plaintext=b"x", **given)
            sealed = root.encrypt(Plaintext=b"x", **given)["CiphertextBlob"]
            return tried(own.decrypt, CiphertextBlob=sealed, **given)
        finally:
            root.revoke_grant(KeyId=key, GrantId=made["GrantId"])

    return run


ATTACKS = [
    Attack(f"{name} {operation}s by a grant to its role", "AccessDeniedException", _use(name, operation))
    for name in ("requests", "approvals", "expiry", "reconcile", "events")
    for operation in ("encrypt", "decrypt")
]

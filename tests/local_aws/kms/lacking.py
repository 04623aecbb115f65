"""Operations that no key of this KMS can do: its material is its own, and a primary key stays one."""

from typing import NoReturn

from tests.local_aws.answers import AwsError
from tests.local_aws.kms.access import Access, Asked, KmsCall, alias_context

OF_IMPORTS = ("GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial")
OF_REGIONS = ("UpdatePrimaryRegion",)
OF_ENCAPSULATION = ("Encapsulate", "Decapsulate")
OF_KEY_STORES = (
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "UpdateCustomKeyStore",
)


class Lacking:
    """Each is refused with AWS's own error, after the caller's right was asked for."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def of_imports(self, call: KmsCall) -> NoReturn:
        """Importing material, for keys whose origin is EXTERNAL."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        words = f"{key.arn} origin is AWS_KMS which is not valid for this operation."
        raise AwsError("UnsupportedOperationException", words)

    def of_regions(self, call: KmsCall) -> NoReturn:
        """Another primary key among those of several Regions."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        key.require_enabled()
        words = f"{key.arn} stays what it is: this KMS changes no primary key."
        raise AwsError("UnsupportedOperationException", words)

    def of_encapsulation(self, call: KmsCall) -> NoReturn:
        """ML-KEM keys."""
        key = self._access.key(call, aliases=True)
        self._access.require(call, key, Asked(call.operation, context=alias_context(call)))
        key.require_enabled()
        raise key.wrong_usage(call.operation)

    def of_key_stores(self, call: KmsCall) -> NoReturn:
        """Custom key stores."""
        self._access.require_keyless(call)
        raise AwsError("UnsupportedOperationException", "This KMS has no custom key stores.")

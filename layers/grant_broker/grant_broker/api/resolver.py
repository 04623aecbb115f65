"""Powertools' resolver for REST APIs, loaded alone.

Its packages load every other resolver and event with it: 80 modules, asyncio among them, a tenth of a
cold start.
"""

import importlib
import importlib.util
import sys
from types import ModuleType

_PARTS = {
    "aws_lambda_powertools.utilities.data_classes": (
        "alb_event",
        "api_gateway_proxy_event",
        "bedrock_agent_event",
        "lambda_function_url_event",
        "vpc_lattice",
    ),
    "aws_lambda_powertools.event_handler": ("content_types", "api_gateway"),
}
"""The parts that the resolver needs, by package."""


def load_parts(package: str, parts: tuple[str, ...]) -> None:
    """Import parts of a package without the rest of it, which is loaded once somebody asks for it.

    A package that is loaded already stays as it is.
    """
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(package)
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader

    def load_whole(name: str) -> object:
        # Executed in the same module: whoever holds it sees the whole package from now on.
        del vars(module)["__getattr__"]
        loader.exec_module(module)
        return getattr(module, name)

    vars(module)["__getattr__"] = load_whole
    sys.modules[package] = module
    for part in parts:
        _take_names(module, importlib.import_module(f"{package}.{part}"))


def _take_names(package: ModuleType, part: ModuleType) -> None:
    vars(package).update({name: value for name, value in vars(part).items() if not name.startswith("_")})


for _package, _modules in _PARTS.items():
    load_parts(_package, _modules)

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response  # noqa: E402

__all__ = ["APIGatewayRestResolver", "Response"]

"""How hard the property tests look: by default the same examples each time; `soak` looks long and anew."""

from hypothesis import HealthCheck, settings

_PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=_PATIENT)
# pytest --hypothesis-profile=soak
settings.register_profile(
    "soak", max_examples=5_000, deadline=None, suppress_health_check=_PATIENT, print_blob=True
)
settings.load_profile("default")

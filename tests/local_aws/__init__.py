"""AWS on a laptop: a strict KMS, IAM, STS and their wire, in front of what moto holds."""

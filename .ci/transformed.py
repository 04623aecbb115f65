#!/usr/bin/env python3
"""Print template.yaml as CloudFormation gets it: SAM's resources written out, anchors too."""

import json
import sys
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_dump, yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def main() -> None:
    """Transform and print."""
    # As `sam deploy` sends it: CloudFormation reads no anchors.
    sent = yaml_dump(yaml_parse(Path("template.yaml").read_text(encoding="utf-8")))
    template = yaml_parse(sent)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("CodeUri", "ContentUri"):
            if name in properties:
                properties[name] = "s3://bucket/key"
    session = boto3.Session(region_name="eu-central-1")
    translator = Translator({}, Parser(), boto_session=session)
    json.dump(translator.translate(template, {}, passthrough_metadata=True), sys.stdout, indent=1)


if __name__ == "__main__":
    main()

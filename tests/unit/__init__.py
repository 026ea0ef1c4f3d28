"""Tests of single modules, without Dagster."""

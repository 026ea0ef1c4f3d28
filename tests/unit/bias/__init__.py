"""Tests of ml.bias."""

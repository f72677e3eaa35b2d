"""What the tests of several areas share: databases, a browser, golden files, and what to do when a tool is missing."""

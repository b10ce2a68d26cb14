"""The Azure CLI extension `az ssh-doctor`: finds the program and hands over az's sign-in. `python3 setup.py bdist_wheel` makes it."""
from setuptools import setup

setup(name="ssh-doctor", version="0.1.0", description="az ssh-doctor: why can I not SSH to this VM?", license="MIT", packages=["azext_ssh_doctor"],
      package_data={"azext_ssh_doctor": ["azext_metadata.json"]}, python_requires=">=3.8")

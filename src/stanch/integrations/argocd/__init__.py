"""Argo CD: notifications by the template in the README, as changes and alerts."""

from stanch.integrations.argocd.source import ArgoCD

__all__ = ["ArgoCD"]

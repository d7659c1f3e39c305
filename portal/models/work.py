"""Runs of jobs, and clicks that must count once."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.tenancy import TenantModel


class JobRun(models.Model):
    """One run of a scheduled job, for the operator. `planned` is what was due at the start, `done` what took effect."""

    job = models.CharField(_("Job"), max_length=60)
    as_of = models.DateField(_("As of"))
    started_at = models.DateTimeField(_("Start"))
    finished_at = models.DateTimeField(_("End"), null=True)
    planned = models.PositiveIntegerField(_("Planned"), default=0)
    done = models.PositiveIntegerField(_("Done"), default=0)
    error = models.TextField(_("Error"), blank=True)

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        indexes = (models.Index(fields=["job", "-started_at"], name="job_run_latest"),)

    def __str__(self) -> str:
        return f"{self.job} {self.as_of}"


class Submission(TenantModel):
    """A submitted form that changed something, with its outcome, which a repeat within 30 days only shows again."""

    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, db_index=False, related_name="+")
    verb = models.CharField(max_length=60)
    key = models.UUIDField()
    outcome = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = (models.UniqueConstraint(fields=["tenant", "user", "verb", "key"], name="submission_once"),)
        indexes = (models.Index(fields=["at"], name="submission_age"),)

    def __str__(self) -> str:
        return f"{self.verb} {self.key}"

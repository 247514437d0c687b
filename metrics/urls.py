"""The addresses of the metrics app, grouped by subject."""

from django.urls import URLPattern, URLResolver, path

from metrics.views import dashboard, figures

urlpatterns: list[URLPattern | URLResolver] = [
    path("metrics/", dashboard.metrics, name="metrics"),
    path("metrics/<slug:key>/", figures.kpi_detail, name="kpi_detail"),
    path("metrics/<slug:key>/figures.csv", figures.kpi_figures, name="kpi_figures"),
    path("metrics/<slug:key>/rows.csv", figures.kpi_rows, name="kpi_rows"),
]

"""The addresses of the metrics app, grouped by subject."""

from django.urls import URLPattern, URLResolver, path

from metrics.views import dashboard, figures, sources

urlpatterns: list[URLPattern | URLResolver] = [
    path("metrics/", dashboard.metrics, name="metrics"),
    path("metrics/sources/", sources.source_list, name="source_list"),
    path("metrics/sources/figures.csv", sources.source_figures, name="source_figures"),
    path("metrics/sources/<int:pk>/spend/", sources.source_spend, name="source_spend"),
    path("metrics/<slug:key>/", figures.kpi_detail, name="kpi_detail"),
    path("metrics/<slug:key>/figures.csv", figures.kpi_figures, name="kpi_figures"),
    path("metrics/<slug:key>/rows.csv", figures.kpi_rows, name="kpi_rows"),
]

"""The REST API of deals, pipelines, companies and contacts, and of leads that become deals."""

"""The tenants of the run: one for each dialect of the mock, and three whose system quotes all that it is sent."""
import hashlib
import json
import pathlib
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
USER, PASSWORD, TOKEN = "ponte", "senha-de-demonstracao", "chave-de-demonstracao"


@dataclass
class Clinic:
    id: str
    key: str
    #: Of the mock; None for a system that quotes.
    dialect: str | None
    upstream: dict
    #: By the names that environment variables and files of secrets have.
    secrets: dict[str, str] = field(default_factory=dict)
    #: Where the mock takes orders.
    admin: str = ""


#: What each dialect accepts, by the names of its profile; `Sources/MockUpstream/MockCredentials.swift`.
CREDENTIALS: dict[str, dict[str, str]] = {
    "agenda-demo": {"user": USER, "password": PASSWORD},
    "prodoctor": {"key": TOKEN, "password": PASSWORD},
    "clinica-nas-nuvens": {"clientId": USER, "clientSecret": PASSWORD, "cid": TOKEN},
    "clinicorp": {"user": USER, "token": TOKEN},
    "cliniko": {"key": TOKEN + "-au1"},
    "ninsaude": {"refreshToken": TOKEN},
    "odoo": {"key": TOKEN},
    "openemr": {"clientId": TOKEN, "user": USER, "password": PASSWORD},
    "shosp": {"key": TOKEN, "id": USER},
    "simplybook": {"login": USER, "password": PASSWORD},
    "versatilis": {"user": USER, "password": PASSWORD},
    "gnuhealth": {"user": USER, "password": PASSWORD},
    "fhir-openmrs": {"user": USER, "password": PASSWORD},
    "fhir-hapi": {},
    "fhir-azure": {"clientID": USER, "clientSecret": PASSWORD},
    "fhir-google": {"token": TOKEN},
    "fhir-nilo": {"key": TOKEN},
}
SETTINGS: dict[str, dict[str, str]] = {
    "clinicorp": {"subscriber": "clinica-teste"},
    "cliniko": {"contact": "suporte@ponte.invalid"},
    "realclinic": {"host": "clinica", "clinic": "Clinica"},
    "simplybook": {"company": "clinica-teste"},
    "versatilis": {"clinic": "Clinica"},
    "fhir-openmrs": {"location": "8d6c993e-c2cc-11de-8d13-0010c6dffd0f"},
}


def dialects() -> list[str]:
    """Those of the shipped profiles, and GNU Health."""
    profiles = [path.stem for path in sorted((ROOT / "Config/drivers").glob("*.json"))]
    fhir = ["fhir-" + path.stem for path in sorted((ROOT / "Config/drivers/fhir").glob("*.json"))]
    return profiles + fhir + ["gnuhealth"]


def upstream(dialect: str) -> dict:
    if dialect == "gnuhealth":
        return {"driver": "tryton", "database": "gh"}
    if dialect.startswith("fhir-"):
        return {"driver": "fhir", "profile": dialect.removeprefix("fhir-")}
    return {"driver": "rest", "profile": dialect}


def tenant_file(clinic: Clinic, secrets: pathlib.Path) -> dict:
    """The tenant's file. Its secrets come from the environment and from files in turn."""
    credentials = {}
    for index, (name, value) in enumerate(clinic.secrets.items()):
        if is_variable(index, name):
            credentials[name] = {"env": variable(clinic, name)}
        else:
            path = secrets / f"{clinic.id}-{name}"
            path.write_text(value + "\n")
            path.chmod(0o600)
            credentials[name] = {"file": str(path)}
    body = dict(clinic.upstream, timeouts={"connect": "2s", "call": "2s"}, breaker={"failures": 100000})
    if credentials:
        body["credentials"] = credentials
    sample = ROOT / f"Config/samples/{clinic.dialect}.json"
    clients = json.loads(sample.read_text())["clients"] if sample.exists() else {
        "searchBy": ["phone", "cpf", "email", "name"]}
    return {
        "id": clinic.id,
        "inbound": {"keys": [{"name": "main", "sha256": hashlib.sha256(clinic.key.encode()).hexdigest()}]},
        "upstream": body,
        "clients": clients | {"scan": {"allowed": True, "maxRecords": 1000}},
        "idempotency": {"store": "sqlite"},
    }


def is_variable(index: int, name: str) -> bool:
    """What a vendor replaces is in a file, so that Ponte can write it."""
    return index % 2 == 0 and name != "refreshToken"


def variable(clinic: Clinic, name: str) -> str:
    return f"LEAKS_{clinic.id}_{name}".upper().replace("-", "_")


def environment(clinics: list[Clinic]) -> dict[str, str]:
    return {
        variable(clinic, name): value
        for clinic in clinics for index, (name, value) in enumerate(clinic.secrets.items())
        if is_variable(index, name)
    }


def write(folder: pathlib.Path, clinics: list[Clinic], server: dict) -> pathlib.Path:
    """Configuration and secrets; the server's file."""
    for name in ("tenants", "secrets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for clinic in clinics:
        (folder / "tenants" / f"{clinic.id}.json").write_text(
            json.dumps(tenant_file(clinic, folder / "secrets"), indent=1))
    file = folder / "server.json"
    file.write_text(json.dumps(dict(server, drivers=str(ROOT / "Config/drivers"))))
    return file

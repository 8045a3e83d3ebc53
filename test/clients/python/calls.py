"""What a caller does with the Python client of openapi-python-client."""

import os
import time

from merchant_customers_client import AuthenticatedClient
from merchant_customers_client.api.changes import list_changes
from merchant_customers_client.api.customers import (
    create_customer,
    delete_customers,
    get_customer,
    list_customers,
    put_customer,
    update_customer,
)
from merchant_customers_client.api.look_up import search_by_org_number
from merchant_customers_client.models import (
    CustomerChanges,
    FilterTerm,
    Flag,
    NewCustomer,
    Problem,
    WholeCustomer,
)


def same(expected, actual):
    assert actual == expected, f"{actual!r} is not {expected!r}"


client = AuthenticatedClient(base_url=os.environ["API_URL"], token=os.environ["API_TOKEN"])

new = NewCustomer(name="Gläntans Bageri AB", companyno="556703-7485", postcode="123 41")
created = create_customer.sync(client=client, body=new)
id = created.mexc_paramvaluesetsid
same("Gläntans Bageri AB", created.name)
same(0, created.mm3servicesid)

same(created, get_customer.sync(id, client=client))

changes = CustomerChanges(email="post@example.com")
changed = update_customer.sync(id, client=client, body=changes)
same("post@example.com", changed.email)
same("Gläntans Bageri AB", changed.name)

listed = list_customers.sync(
    client=client, limit=10, filter_=[FilterTerm.ISCOMPANY], is_company=Flag.VALUE_1
)
same([id], [customer.mexc_paramvaluesetsid for customer in listed])

same(12341, search_by_org_number.sync("5567037485", client=client).zip_)
update_customer.sync(id, client=client, body=CustomerChanges(postcode="SW1A 1AA"))
same("SW1A 1AA", search_by_org_number.sync("5567037485", client=client).zip_)

token = list_changes.sync(client=client).next_
put = put_customer.sync(
    "K/7", client=client, body=WholeCustomer(name="Alm AB", email="alm@example.com"), if_none_match="*"
)
same("K/7", put.customerid)
again = put_customer.sync("K/7", client=client, body=WholeCustomer(name="Alm & Ek AB"))
same((put.mexc_paramvaluesetsid, ""), (again.mexc_paramvaluesetsid, again.email))

# Log and indexes follow writes usually within a second.
deadline = time.time() + 10
while time.time() < deadline:
    changes = list_changes.sync(client=client, after=token).changes
    names = [change.customer.name for change in changes]
    found = list_customers.sync(client=client, customerid=["K/7"])
    if "Alm & Ek AB" in names and found:
        break
    time.sleep(0.1)
assert "Alm & Ek AB" in names, names
same("Alm & Ek AB", found[0].name)

missing = get_customer.sync(999999999, client=client)
assert isinstance(missing, Problem), missing
same((404, "Customer Not Found"), (missing.status, missing.title))

same(1, delete_customers.sync(client=client, body=[id, "999999999"]).count)

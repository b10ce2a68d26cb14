#!/usr/bin/python3
"""The Azure simulator: sign-in, metadata, reads, lists, Resource Graph."""
import gzip
import http.client
import sys
import urllib.parse

from simlib import claims, CLIENT, expect, JIT, NET, NIC, NSG, RG, run, S, Sim, SUB, TENANT, test, V, VM, VNET


@test
def token_by_secret_carries_the_claims():
    with Sim(token={"expires_in": 1234, "claims": {"ipaddr": "203.0.113.7", "idp": None}}) as sim:
        body = sim.sign_in().json
        expect(body["expires_in"], 1234)
        found = claims(body["access_token"])
        expect((found["tid"], found["aud"], found["appid"], found["ipaddr"]),
               (TENANT, "https://management.azure.com", CLIENT, "203.0.113.7"))
        assert "oid" in found and "idp" not in found and found["exp"] - found["nbf"] in (1234, 1235)


@test
def legacy_scope_keeps_its_slash():
    with Sim() as sim:
        token = sim.sign_in(scope="https://management.core.windows.net//.default").json["access_token"]
        expect(claims(token)["aud"], "https://management.core.windows.net/")
        sim.token = token
        expect(sim.get(VM).status, 200)


@test
def wrong_secret_unknown_client_and_expired_secret_are_refused():
    with Sim(clients={CLIENT: {"secret": "sim-secret"}, "old": {"secret": "x", "expired": True}}) as sim:
        for fields, status, error, code in ((dict(client_secret="no"), 401, "invalid_client", 7000215),
                                            (dict(client_id="nobody"), 400, "unauthorized_client", 700016),
                                            (dict(client_id="old", client_secret="x"), 401, "invalid_client", 7000222),
                                            (dict(client_secret=None), 401, "invalid_client", 7000218),
                                            (dict(grant_type="password"), 400, "unsupported_grant_type", 70003)):
            reply = sim.sign_in(**fields)
            expect((reply.status, reply.json["error"], reply.json["error_codes"]), (status, error, [code]))
            assert reply.json["error_description"].startswith(f"AADSTS{code}: "), reply.json
        reply = sim.sign_in(path="/99999999-9999-9999-9999-999999999999/oauth2/v2.0/token")
        expect((reply.status, reply.json["error_codes"]), (400, [90002]))


@test
def client_assertion_is_accepted_where_declared_and_logged():
    with Sim(clients={CLIENT: {"assertion": True}}) as sim:
        expect(sim.sign_in(client_secret=None, client_assertion="a.b.c", client_assertion_type="urn:x").status, 200)
        assert "client_assertion=a.b.c" in sim.log()[-1]["body"]
    with Sim() as sim:
        expect(sim.sign_in(client_secret=None, client_assertion="a.b.c").json["error_codes"], [700027])


@test
def a_scripted_sign_in_error_is_served():
    body = {"error": "invalid_grant", "error_description": "AADSTS50076: MFA", "error_codes": [50076]}
    with Sim(token={"error": body}) as sim:
        reply = sim.sign_in()
        expect((reply.status, reply.json), (400, body))


@test
def v1_and_adfs_endpoints_issue_tokens():
    with Sim() as sim:
        v1 = sim.sign_in(path="/" + TENANT + "/oauth2/token", scope=None, resource="https://management.azure.com/").json
        expect((type(v1["expires_in"]), v1["resource"]), (str, "https://management.azure.com/"))
        adfs = sim.sign_in(path="/adfs/oauth2/token").json
        expect(claims(adfs["access_token"])["tid"], TENANT)
        for path in ("/adfs/.well-known/openid-configuration", f"/{TENANT}/v2.0/.well-known/openid-configuration"):
            found = sim.raw("GET", path).json
            assert found["token_endpoint"].startswith(sim.url) and found["token_endpoint"].endswith("/token"), found
        expect(sim.raw("GET", "/common/discovery/instance?api-version=1.1").json["metadata"][0]["preferred_network"], sim.host)


@test
def managed_identity_needs_the_header_and_the_query():
    path = "/metadata/identity/oauth2/token"
    with Sim(imds=True) as sim:
        expect(sim.raw("GET", path).status, 400)
        query = "?api-version=2018-02-01&resource=" + urllib.parse.quote("https://management.azure.com/", "")
        expect(sim.raw("GET", path + query).json["error"], "invalid_request")
        meta = {"Metadata": "true"}
        expect(sim.raw("GET", path + "?api-version=2018-02-01", headers=meta).status, 400)
        body = sim.raw("GET", path + query, headers=meta).json
        assert all(isinstance(value, str) for value in body.values()), body
        sim.token = body["access_token"]
        expect(sim.get(VM).status, 200)
        expect(sim.raw("GET", "/metadata/instance?api-version=2021-02-01", headers=meta).json["compute"]["name"], "myVM")
    refused = {"error": "invalid_request", "error_description": "Identity not found"}
    with Sim(imds={"status": 400, "body": refused}) as sim:
        expect(sim.raw("GET", path + query, headers=meta).json, refused)
    with Sim(imds=False) as sim:
        try:
            sim.raw("GET", path + query, headers=meta)
            raise AssertionError("answered")
        except (ConnectionResetError, http.client.RemoteDisconnected):
            pass


@test
def cloud_shell_and_github_endpoints_answer():
    with Sim() as sim:
        reply = sim.raw("POST", "/oauth2/token", "resource=https://management.azure.com/", {"Metadata": "true"})
        expect(type(reply.json["expires_on"]), str)
        expect(sim.raw("POST", "/oauth2/token", "resource=x").json["error"]["code"], "invalid_request")
        path = "/github/oidc?x=1&audience=api://AzureADTokenExchange"
        expect(sim.raw("GET", path).status, 401)
        token = sim.raw("GET", path, headers={"Authorization": "bearer abc"}).json["value"]
        expect(claims(token)["aud"], "api://AzureADTokenExchange")


@test
def metadata_endpoints_have_the_shape_of_their_version():
    with Sim() as sim:
        old = sim.raw("GET", "/metadata/endpoints?api-version=2015-01-01").json
        expect(old["authentication"]["loginEndpoint"], sim.url)
        array = sim.raw("GET", "/metadata/endpoints?api-version=2019-10-01").json
        expect(array[0]["resourceManager"], sim.url)
        expect(sim.raw("GET", "/metadata/endpoints?api-version=2022-09-01").json["name"], "SimCloud")
        expect(sim.raw("GET", "/metadata/endpoints").status, 400)


@test
def bad_bearers_get_the_real_401():
    tokens = {"late": {"expires_in": -10}, "early": {"not_before": 4000, "expires_in": 9000}, "vault": {"audience": "https://vault.azure.net"},
              "foreign": {"tenant": "33333333-3333-3333-3333-333333333333"}}
    with Sim(tokens=tokens) as sim:
        for bearer, code in (("late", "ExpiredAuthenticationToken"), ("early", "InvalidAuthenticationToken"),
                             ("vault", "InvalidAuthenticationToken"), ("foreign", "InvalidAuthenticationTokenTenant"),
                             ("made-up", "InvalidAuthenticationToken")):
            sim.token = bearer
            reply = sim.get(VM)
            expect((reply.status, reply.code), (401, code))
            assert "authorization_uri=" in reply.headers["www-authenticate"]
            expect(sim.log()[-1]["auth"], "bad")
        reply = sim.raw("GET", VM + "?" + V)
        expect((reply.status, reply.code, sim.log()[-1]["auth"]), (401, "AuthenticationFailed", "none"))
        assert TENANT in reply.headers["www-authenticate"]
        sim.token = "foreign"
        assert f"https://sts.windows.net/{TENANT}/" in sim.get(VM).json["error"]["message"]
        expect(sim.get("/subscriptions").json["value"], [])


@test
def ids_compare_without_case_and_serve_the_stored_body():
    with Sim() as sim:
        expect(sim.get(VM.upper().replace("SUBSCRIPTIONS", "subscriptions")).json["id"], VM)
        expect(sim.get(S).json["displayName"], "Sim Subscription")
        expect(sim.get(RG).json["type"], "Microsoft.Resources/resourceGroups")
        expect(sim.get("/" + VM).status, 200)


@test
def instance_view_comes_only_when_asked_for():
    with Sim() as sim:
        assert "instanceView" not in sim.get(VM).json["properties"]
        inner = sim.get(VM + "?$expand=instanceView").json["properties"]["instanceView"]
        expect(sim.get(VM + "/instanceView").json, inner)
        listed = RG + "/providers/Microsoft.Compute/virtualMachines"
        assert "instanceView" not in sim.get(listed).json["value"][0]["properties"]
        listed = S + "/providers/Microsoft.Compute/virtualMachines?statusOnly=true"
        assert "instanceView" in sim.get(listed).json["value"][0]["properties"]


@test
def missing_things_have_azures_words():
    with Sim() as sim:
        for path, status, code in ((VM + "x", 404, "ResourceNotFound"),
                                   (S + "/resourceGroups/no/providers/a/b/c", 404, "ResourceGroupNotFound"),
                                   ("/subscriptions/44444444-4444-4444-4444-444444444444", 404, "SubscriptionNotFound"),
                                   (S + "/resourceGroups/no", 404, "ResourceGroupNotFound"),
                                   (NET + "/virtualNetworks/no/subnets/default", 404, "ParentResourceNotFound"),
                                   (NET + "/virtualNetworks/no/subnets", 404, "ParentResourceNotFound"),
                                   (VNET + "/subnets/no", 404, "NotFound"), (VM + "x/extensions", 404, "ParentResourceNotFound")):
            reply = sim.get(path)
            if code != "ParentResourceNotFound" or reply.code != "ResourceNotFound":
                expect((path, reply.status, reply.code), (path, status, code))
        assert "'Microsoft.Compute/virtualMachines/myVMx' under resource group 'rg'" in sim.get(VM + "x").json["error"]["message"]
        reply = sim.raw("GET", VM, headers={"Authorization": "Bearer " + sim.token})
        expect((reply.status, reply.code), (400, "MissingApiVersionParameter"))


@test
def subnets_agree_in_both_views():
    own = VNET + "/subnets/default"
    with Sim({own: {"properties": {"networkSecurityGroup": {"id": NSG}}},
              VNET + "/subnets/two": {"properties": {"addressPrefix": "10.0.1.0/24"}}}) as sim:
        inside = {subnet["name"]: subnet for subnet in sim.get(VNET).json["properties"]["subnets"]}
        alone = sim.get(own).json
        expect(inside["default"]["properties"], alone["properties"])
        expect((alone["properties"]["addressPrefix"], alone["properties"]["networkSecurityGroup"]["id"]), ("10.0.0.0/24", NSG))
        expect(sorted(s["name"] for s in sim.get(VNET + "/subnets").json["value"]), ["default", "two"])
        group = sim.get(NSG).json["properties"]
        expect(([s["id"] for s in group["subnets"]], [n["id"] for n in group["networkInterfaces"]]), ([own], [NIC]))


@test
def security_groups_get_the_six_default_rules():
    with Sim({NET + "/networkSecurityGroups/bare": {"location": "westeurope"}}) as sim:
        found = sim.get(NET + "/networkSecurityGroups/bare").json["properties"]
        expect([r["properties"]["priority"] for r in found["defaultSecurityRules"]], [65000, 65001, 65500] * 2)
        expect(found["securityRules"], [])
        expect(sim.get(NSG + "/securityRules/ALLOW-ssh").json["name"], "allow-ssh")


@test
def lists_are_derived_from_resources():
    set_id = RG + "/providers/Microsoft.Compute/virtualMachineScaleSets/ss"
    member = set_id + "/virtualMachines/1"
    card = {"properties": {"ipConfigurations": [{"name": "c1", "properties": {"privateIPAddress": "10.0.0.9"}}]}}
    extra = {set_id: {"location": "westeurope"}, member: {"properties": {}}, member + "/networkInterfaces/n1": card,
        member + "/networkInterfaces/n1/ipConfigurations/c1/publicIPAddresses/p1": {"properties": {"ipAddress": "20.0.0.9"}},
        JIT: {"kind": "Basic", "properties": {"virtualMachines": [], "requests": []}},
        VM + "/extensions/AADSSH": {"properties": {"publisher": "Microsoft.Azure.ActiveDirectory", "type": "AADSSHLoginForLinux"}}}
    with Sim(extra) as sim:
        for path, names in ((NET + "/networkInterfaces", ["myVM-nic"]),
                            (S + "/providers/Microsoft.Network/networkSecurityGroups", ["myVM-nsg"]), (set_id + "/virtualMachines", ["1"]),
                            (member + "/networkInterfaces", ["n1"]), (set_id + "/networkInterfaces", ["n1"]),
                            (member + "/networkInterfaces/n1/ipconfigurations/c1/publicipaddresses", ["p1"]),
                            (S + "/providers/Microsoft.Security/jitNetworkAccessPolicies", ["default"]),
                            (RG + "/providers/Microsoft.Security/jitNetworkAccessPolicies", ["default"]),
                            (S + "/providers/Microsoft.Security/locations/WestEurope/jitNetworkAccessPolicies", ["default"]),
                            (S + "/providers/Microsoft.Security/locations/eastus/jitNetworkAccessPolicies", []),
                            (VM + "/extensions", ["AADSSH"]), (NET + "/loadBalancers", []),
                            (S + "/resourceGroups", ["rg", "NetworkWatcherRG"])):
            expect((path, sim.get(path).status, [r["name"] for r in sim.get(path).json["value"]]), (path, 200, names))
        expect([r["name"] for r in sim.get(VM).json["resources"]], ["AADSSH"])
        expect(sim.get("/subscriptions").json["value"][0]["subscriptionId"], SUB)
        expect(sim.get("/tenants").json["value"][0]["tenantId"], TENANT)
        expect(sim.get(VM + "/providers/Microsoft.Authorization/permissions").json["value"][0]["actions"], ["*"])
        health = sim.get(VM + "/providers/Microsoft.ResourceHealth/availabilityStatuses/current").json["properties"]
        expect(health["availabilityState"], "Available")
        expect(sim.get(S + "/providers/Microsoft.Insights/eventtypes/management/values").json["value"], [])


@test
def resources_are_filtered_by_type_and_name():
    with Sim() as sim:
        text = "$filter=resourceType eq 'Microsoft.Compute/virtualMachines' and name eq 'MYVM'"
        found = sim.get(S + "/resources?" + text).json["value"]
        expect([(r["name"], "properties" in r) for r in found], [("myVM", False)])
        expect(len(sim.get(RG + "/resources?$filter=substringof('nsg', name) or startswith(name, 'myVM-i')").json["value"]), 2)
        expect(sim.get(S + "/resources?$filter=name eq").code, "InvalidFilterInQueryString")
        expect(len(sim.get(RG + "/resources").json["value"]), 5)


@test
def long_lists_page_by_next_link():
    extra = {NET + f"/publicIPAddresses/p{n}": {"location": "westeurope"} for n in range(7)}
    with Sim(extra, page_size=3) as sim:
        path, names = NET + "/publicIPAddresses?" + V, []
        for _ in range(9):
            page = sim.get(path).json
            names += [r["name"] for r in page["value"]]
            if "nextLink" not in page:
                break
            assert page["nextLink"].startswith(sim.url + NET), page["nextLink"]
            path = page["nextLink"][len(sim.url):]
        expect((len(names), len(set(names))), (8, 8))


@test
def expand_inlines_resources_of_an_interface():
    with Sim() as sim:
        body = sim.get(NIC + "?$expand=ipConfigurations/publicIPAddress,ipConfigurations/subnet,networkSecurityGroup").json["properties"]
        inner = body["ipConfigurations"][0]["properties"]
        expect(inner["publicIPAddress"]["properties"]["ipAddress"], "20.51.230.13")
        expect(inner["subnet"]["properties"]["addressPrefix"], "10.0.0.0/24")
        assert body["networkSecurityGroup"]["properties"]["securityRules"]
        plain = sim.get(NIC).json["properties"]
        expect(plain["networkSecurityGroup"], {"id": NSG})


@test
def old_clouds_name_the_api_versions_they_serve():
    with Sim(api_versions={"Microsoft.Compute": ["2019-12-01", "2020-06-01"], "microsoft.security": []}) as sim:
        reply = sim.get(VM)
        expect((reply.status, reply.code), (400, "NoRegisteredProviderFound"))
        assert reply.json["error"]["message"].endswith("The supported api-versions are '2019-12-01, 2020-06-01'."), reply.body
        expect(sim.get(VM + "?api-version=2020-06-01").status, 200)
        expect(sim.get(RG + "/providers/Microsoft.Security/jitNetworkAccessPolicies").code, "InvalidResourceNamespace")
        expect(sim.get(NIC).status, 200)


@test
def bodies_are_packed_for_those_who_ask():
    with Sim(gzip=True, boot_log="x") as sim:
        plain = sim.get(VM)
        packed = sim.get(VM, headers={"Accept-Encoding": "gzip"})
        expect((packed.headers["content-encoding"], gzip.decompress(packed.body)), ("gzip", plain.body))
        expect("content-encoding" in plain.headers, False)


@test
def resource_graph_answers_one_pipe_queries():
    second = "/subscriptions/55555555-5555-5555-5555-555555555555"
    twin = second + "/resourceGroups/Other/providers/Microsoft.Compute/virtualMachines/myvm"
    with Sim({second: {"displayName": "Two"}, twin: {"location": "eastus"}}) as sim:
        query = ("Resources | where type =~ 'microsoft.compute/virtualmachines' and name =~ 'myvm' | project id,name,resourceGroup,subscriptionId,"
                 "tenantId,location,powerState=tostring(properties.extended.instanceView.powerState.code),nics=properties.networkProfile."
                 "networkInterfaces")
        body = sim.graph(query, options={"resultFormat": "objectArray", "$top": 20}).json
        expect((body["totalRecords"], body["resultTruncated"]), (2, "false"))
        expect([(r["id"], r["powerState"]) for r in body["data"]], [(VM, "PowerState/running"), (twin, "")])
        expect(body["data"][0]["nics"][0]["id"], NIC)
        expect(len(sim.graph(query, subscriptions=[SUB]).json["data"]), 1)
        for text, names in (("Resources | where type =~ 'Microsoft.Network/publicIPAddresses' and properties.ipAddress == '20.51.230.13'",
                             ["myVM-ip"]),
                            ("resources | where name in~ ('MYVM-NIC', 'x') | where location == 'westeurope'", ["myVM-nic"]),
                            ("Resources | where name contains 'NSG' or (name == 'myVM-ip' and not(location == 'x'))",
                             ["myVM-ip", "myVM-nsg"]),
                            ("Resources | where properties['ipAddress'] != '' and isnotempty(properties.ipAddress) | project name",
                             ["myVM-ip"]),
                            ("Resources | where properties.ipConfigurations[0].properties.privateIPAddress == '10.0.0.4' | project name",
                             ["myVM-nic"]),
                            ("Resources | where resourceGroup == 'rg' | order by name desc | limit 2 | project name",
                             ["myVnet", "myVM-nsg"]),
                            ("Resources | mv-expand ip = properties.ipConfigurations | where ip.properties.privateIPAddress == '10.0.0.4'",
                             ["myVM-nic"]),
                            ("Resources | where type == 'microsoft.network/virtualnetworks' | extend x=toupper(name) | project name",
                             ["myVnet"])):
            reply = sim.graph(text)
            assert reply.status == 200, (text, reply.body)
            expect((text, sorted(r["name"] for r in reply.json["data"])), (text, sorted(names)))
        expect(sim.graph("Resources | count").json["data"][0]["Count"], 7)
        table = sim.graph("Resources | where name == 'myVM-ip' | project name, location", options={"resultFormat": "table"}).json["data"]
        expect(table["rows"], [["myVM-ip", "westeurope"]])
        for bad in ("Resources | join x", "Resources | where name ~ 'x'", "", "Resources | where name == 'x", "Nowhere | limit 1",
                    "Resources | where " + "(" * 200 + "name" + ")" * 200, "Resources | where f(name)"):
            reply = sim.graph(bad)
            expect((bad, reply.status, reply.code, reply.json["error"]["details"][0]["code"]), (bad, 400, "BadRequest", "InvalidQuery"))


@test
def resource_graph_pages_by_skip_token():
    with Sim(page_size=2) as sim:
        names, token = [], None
        for _ in range(9):
            options = {"$skipToken": token} if token else {}
            body = sim.graph("Resources | project id, name", options=options).json
            names += [r["name"] for r in body["data"]]
            token = body.get("$skipToken")
            expect(body["resultTruncated"], "true" if token else "false")
            if token is None:
                break
        expect((len(names), len(set(names))), (6, 6))


if __name__ == "__main__":
    sys.exit(run())

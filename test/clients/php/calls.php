<?php

// What a caller does with the PHP client of openapi-generator. Arguments: the folder of the client.

require 'GuzzleHttp/autoload.php';

spl_autoload_register(function (string $class) use ($argv): void {
    $prefix = 'OpenAPI\\Client\\';
    if (str_starts_with($class, $prefix)) {
        require $argv[1] . '/lib/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
    }
});

use OpenAPI\Client\ApiException;
use OpenAPI\Client\Api\ChangesApi;
use OpenAPI\Client\Api\CustomersApi;
use OpenAPI\Client\Api\LookUpApi;
use OpenAPI\Client\Configuration;
use OpenAPI\Client\Model\CustomerChanges;
use OpenAPI\Client\Model\NewCustomer;
use OpenAPI\Client\Model\WholeCustomer;
use OpenAPI\Client\ObjectSerializer;

function same(mixed $expected, mixed $actual): void
{
    if ($actual !== $expected) {
        throw new Exception(var_export($actual, true) . ' is not ' . var_export($expected, true));
    }
}

$config = (new Configuration())
    ->setHost(getenv('API_URL'))
    ->setAccessToken(getenv('API_TOKEN'));
$http = new GuzzleHttp\Client();
$customers = new CustomersApi($http, $config);
$lookUp = new LookUpApi($http, $config);
$changeFeed = new ChangesApi($http, $config);

// Each text is set by its setter, which checks it by length and pattern.
$new = new NewCustomer();
foreach (NewCustomer::openAPITypes() as $name => $type) {
    if ($type === 'string') {
        $new->{NewCustomer::setters()[$name]}("Åsa $name");
    }
}
$new->setName('Gläntans Bageri AB')->setCompanyno('556703-7485')->setPostcode('123 41');
same([], $new->listInvalidProperties());

$created = $customers->createCustomer($new);
$id = $created->getMexcParamvaluesetsid();
same('Gläntans Bageri AB', $created->getName());
same('Åsa notes', $created->getNotes());
same(0, $created->getMm3servicesid());

same('Gläntans Bageri AB', $customers->getCustomer($id)->getName());

$changes = (new CustomerChanges())->setEmail('post@example.com')->setFax('');
$changed = $customers->updateCustomer($id, $changes);
same('post@example.com', $changed->getEmail());
same('', $changed->getFax());
same('Gläntans Bageri AB', $changed->getName());

$list = $customers->listCustomers(limit: 10, filter: ['isCompany'], is_company: '1');
same([$id], array_map(fn ($customer) => $customer->getMexcParamvaluesetsid(), $list));

// The client sends the default of start, 0, with the cursor as well.
$customers->createCustomer((new NewCustomer())->setName('Ask'));
[, , $headers] = $customers->listCustomersWithHttpInfo(limit: 1);
preg_match('/cursor=([^>&]+)/', $headers['Link'][0] ?? $headers['link'][0], $cursor);
same('Ask', $customers->listCustomers(limit: 1, cursor: $cursor[1])[0]->getName());

same(12341, $lookUp->searchByOrgNumber('5567037485')->getZip());
$customers->updateCustomer($id, (new CustomerChanges())->setPostcode('SW1A 1AA'));
same('SW1A 1AA', $lookUp->searchByOrgNumber('5567037485')->getZip());
$customers->updateCustomer($id, (new CustomerChanges())->setPostcode('00101'));
same('00101', $lookUp->searchByOrgNumber('5567037485')->getZip());

$token = $changeFeed->listChanges()->getNext();
$whole = (new WholeCustomer())->setName('Alm AB')->setEmail('alm@example.com');
$put = $customers->putCustomer('K/7', $whole, if_none_match: '*');
same('K/7', $put->getCustomerid());
$again = $customers->putCustomer('K/7', (new WholeCustomer())->setName('Alm & Ek AB'));
same($put->getMexcParamvaluesetsid(), $again->getMexcParamvaluesetsid());
same('', $again->getEmail());

// Log and indexes follow writes usually within a second.
for ($deadline = time() + 10; time() < $deadline; usleep(100_000)) {
    $changed = array_map(
        fn ($change) => $change->getCustomer()->getName(),
        $changeFeed->listChanges($token)->getChanges(),
    );
    $found = $customers->listCustomers(customerid: ['K/7']);
    if (in_array('Alm & Ek AB', $changed) && $found) {
        break;
    }
}
same(true, in_array('Alm & Ek AB', $changed));
same('Alm & Ek AB', $found[0]->getName());

try {
    $customers->getCustomer(999999999);
    throw new Exception('A customer that does not exist was returned.');
} catch (ApiException $error) {
    same(404, $error->getCode());
    same('Customer Not Found', $error->getResponseObject()->getTitle());
}

same(1, $customers->deleteCustomers([$id, '999999999'])->getCount());

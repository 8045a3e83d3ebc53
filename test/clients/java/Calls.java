import com.google.gson.reflect.TypeToken;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Objects;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.JSON;
import org.openapitools.client.api.CustomersApi;
import org.openapitools.client.api.LookUpApi;
import org.openapitools.client.model.CreateCustomerRequest;
import org.openapitools.client.model.CreationResult;
import org.openapitools.client.model.Customer;
import org.openapitools.client.model.CustomerChanges;
import org.openapitools.client.model.FilterTerm;
import org.openapitools.client.model.Flag;
import org.openapitools.client.model.IdsToDeleteInner;
import org.openapitools.client.model.NewCustomer;
import org.openapitools.client.model.Problem;

/** What a caller does with the Java client of openapi-generator. */
public class Calls {
  public static void main(String[] arguments) throws ApiException {
    ApiClient client = new ApiClient();
    client.setBasePath(System.getenv("API_URL"));
    client.setBearerToken(System.getenv("API_TOKEN"));
    CustomersApi customers = new CustomersApi(client);
    LookUpApi lookUp = new LookUpApi(client);

    NewCustomer created =
        new NewCustomer().name("Gläntans Bageri AB").companyno("556703-7485").postcode("123 41");
    Customer customer = customers.createCustomer(new CreateCustomerRequest(created), null);
    Long id = customer.getMexcParamvaluesetsid();
    same("Gläntans Bageri AB", customer.getName());
    same(0L, customer.getMm3servicesid());

    same(customer, customers.getCustomer(id, null, null));

    CustomerChanges changes = new CustomerChanges().email("post@example.com");
    Customer changed = customers.updateCustomer(id, changes, null);
    same("post@example.com", changed.getEmail());
    same("Gläntans Bageri AB", changed.getName());

    List<FilterTerm> filter = List.of(FilterTerm.IS_COMPANY);
    List<Customer> list =
        customers.listCustomers(
            10, null, null, filter, null, null, null, null, null, null, Flag._1, null, null, null, null,
            null, null, null, null, null, null, null);
    same(List.of(id), list.stream().map(Customer::getMexcParamvaluesetsid).toList());

    // Gson reads a number of no stated type as a double.
    same(12341, ((Number) lookUp.searchByOrgNumber("5567037485", null).getZip()).intValue());
    customers.updateCustomer(id, new CustomerChanges().postcode("SW1A 1AA"), null);
    same("SW1A 1AA", lookUp.searchByOrgNumber("5567037485", null).getZip());

    try {
      customers.getCustomer(999999999L, null, null);
      throw new AssertionError("A customer that does not exist was returned.");
    } catch (ApiException error) {
      same(404, error.getCode());
      Problem problem = JSON.deserialize(error.getResponseBody(), Problem.class);
      same("Customer Not Found", problem.getTitle());
    }

    // The generated method returns what one customer is answered with.
    CreateCustomerRequest array =
        new CreateCustomerRequest(
            List.of(new NewCustomer().name("Alm"), new NewCustomer().name("Ask")));
    Type results = new TypeToken<List<CreationResult>>() {}.getType();
    List<CreationResult> several =
        client
            .<List<CreationResult>>execute(customers.createCustomerCall(array, null, null), results)
            .getData();
    same(List.of(201L, 201L), several.stream().map(each -> each.getStatus().longValue()).toList());
    same("Ask", several.get(1).getCustomer().getName());

    List<IdsToDeleteInner> ids =
        List.of(
            new IdsToDeleteInner(id),
            new IdsToDeleteInner(several.get(0).getCustomer().getMexcParamvaluesetsid()),
            new IdsToDeleteInner(several.get(1).getCustomer().getMexcParamvaluesetsid()),
            new IdsToDeleteInner("999999999"));
    same(3L, customers.deleteCustomers(ids).getCount());
  }

  private static void same(Object expected, Object actual) {
    if (!Objects.equals(expected, actual)) {
      throw new AssertionError(actual + " is not " + expected);
    }
  }
}
